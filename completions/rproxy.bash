# bash completion for rproxy
_rproxy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "serve --help --version" -- "$current")
    return
  fi
  case $previous in
    --log-level) mapfile -t COMPREPLY < <(compgen -W "debug info warn error off" -- "$current"); return ;;
    --workers) return ;;
  esac
  case ${COMP_WORDS[1]}:$current in
    serve:-*) mapfile -t COMPREPLY < <(compgen -W "--workers --watch --check --print-config --print-keys --log-level --help" -- "$current") ;;
    serve:*) mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -S / -- "$current") ;;
  esac
}
complete -o nospace -F _rproxy rproxy
