# bash completion for rproxy
_rproxy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "serve route-check health cache-inspect --help --version" -- "$current")
    return
  fi
  case $previous in
    --log-level) mapfile -t COMPREPLY < <(compgen -W "debug info warn error off" -- "$current"); return ;;
    --format)
      local formats="table json nagios prometheus"
      [[ ${COMP_WORDS[1]} == route-check ]] && formats="text json sarif junit github checkstyle"
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
      return
      ;;
    --sort) mapfile -t COMPREPLY < <(compgen -W "url size age hits" -- "$current"); return ;;
    --graph) mapfile -t COMPREPLY < <(compgen -W "dot mermaid" -- "$current"); return ;;
    --by) mapfile -t COMPREPLY < <(compgen -W "host type status path" -- "$current"); return ;;
    --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --prometheus | --attach | --tests | --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --workers | --url | --upstream | --endpoint | --timeout | --count | --interval | --warn | --crit | --deny | --allow | --coverage-min | --host | --path | --status | --type | --tag | --min-size | --min-age | --limit | --prefix | --group | --depth | --explain | --header | -H | --from) return ;;
  esac
  case ${COMP_WORDS[1]}:$current in
    serve:-*) mapfile -t COMPREPLY < <(compgen -W "--workers --watch --check --print-config --print-keys --log-level --help" -- "$current") ;;
    route-check:-*) mapfile -t COMPREPLY < <(compgen -W "--format --strict --deny --allow --online --tests --coverage --coverage-min --update --explain --header --from --diff --list --graph --schema --help" -- "$current") ;;
    health:-*) mapfile -t COMPREPLY < <(compgen -W "--url --upstream --endpoint --timeout --count --interval --watch --json --format --prometheus --attach --warn --crit --help" -- "$current") ;;
    cache-inspect:-*) mapfile -t COMPREPLY < <(compgen -W "--attach --dir --json --ndjson --no-progress --host --path --status --type --tag --fresh --stale --min-size --min-age --sort --limit --header --output --by --depth --repair --prefix --group --all --soft --interval --count --help" -- "$current") ;;
    cache-inspect:*) mapfile -t COMPREPLY < <(compgen -W "stats list top show why cat du verify purge export import" -- "$current") ;;
    serve:* | route-check:* | health:*) mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -S / -- "$current") ;;
  esac
}
complete -o nospace -F _rproxy rproxy
