# bash completion for rproxy
_rproxy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "serve health --help --version" -- "$current")
    return
  fi
  case $previous in
    --log-level) mapfile -t COMPREPLY < <(compgen -W "debug info warn error off" -- "$current"); return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W "table json nagios prometheus" -- "$current"); return ;;
    --prometheus | --attach) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --workers | --url | --upstream | --endpoint | --timeout | --count | --interval | --warn | --crit) return ;;
  esac
  case ${COMP_WORDS[1]}:$current in
    serve:-*) mapfile -t COMPREPLY < <(compgen -W "--workers --watch --check --print-config --print-keys --log-level --help" -- "$current") ;;
    health:-*) mapfile -t COMPREPLY < <(compgen -W "--url --upstream --endpoint --timeout --count --interval --watch --json --format --prometheus --attach --warn --crit --help" -- "$current") ;;
    serve:* | health:*) mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -S / -- "$current") ;;
  esac
}
complete -o nospace -F _rproxy rproxy
