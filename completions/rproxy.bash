# bash completion for rproxy
# Of cert acme, which has commands of its own as well.
_rproxy_cert_acme() {
  local current=$1 previous=$2
  if ((COMP_CWORD == 3)); then
    mapfile -t COMPREPLY < <(compgen -W "issue renew revoke list account --help" -- "$current")
    return
  fi
  case $previous in
    --directory) mapfile -t COMPREPLY < <(compgen -W "letsencrypt letsencrypt-staging zerossl google google-staging" -- "$current"); return ;;
    --challenge) mapfile -t COMPREPLY < <(compgen -W "http-01 tls-alpn-01 dns-01" -- "$current"); return ;;
    --key-type) mapfile -t COMPREPLY < <(compgen -W "p256 p384 rsa2048 rsa3072 rsa4096" -- "$current"); return ;;
    --reason) mapfile -t COMPREPLY < <(compgen -W "unspecified key-compromise affiliation-changed superseded cessation-of-operation" -- "$current"); return ;;
    --config | --ca-file | --eab-key-file | --cert | --key | --dns-hook | --deploy-hook) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --storage) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    --email | --eab-kid | --address | --http-port | --tls-port | --dns-wait | --profile | --lock-wait) return ;;
  esac
  case ${COMP_WORDS[3]}:$current in
    issue:-*) mapfile -t COMPREPLY < <(compgen -W "--config --directory --storage --ca-file --email --eab-kid --eab-key-file --challenge --address --http-port --tls-port --via-serve --dns-hook --dns-wait --key-type --profile --lock-wait --cert --key --deploy-hook --dry-run --json --quiet --force --each --help" -- "$current") ;;
    renew:-*) mapfile -t COMPREPLY < <(compgen -W "--config --directory --storage --ca-file --email --eab-kid --eab-key-file --challenge --address --http-port --tls-port --via-serve --dns-hook --dns-wait --key-type --profile --lock-wait --cert --key --deploy-hook --dry-run --json --quiet --force --help" -- "$current") ;;
    revoke:-*) mapfile -t COMPREPLY < <(compgen -W "--config --directory --storage --ca-file --reason --key --keep --json --help" -- "$current") ;;
    list:-*) mapfile -t COMPREPLY < <(compgen -W "--config --directory --storage --json --help" -- "$current") ;;
    account:-*) mapfile -t COMPREPLY < <(compgen -W "--config --directory --storage --ca-file --email --eab-kid --eab-key-file --key-type --yes --json --help" -- "$current") ;;
    account:*) mapfile -t COMPREPLY < <(compgen -W "show register update rollover deactivate" -- "$current") ;;
    revoke:*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}
# Of cert, which has commands of its own.
_rproxy_cert() {
  local current=$1 previous=$2
  if ((COMP_CWORD == 2)); then
    mapfile -t COMPREPLY < <(compgen -W "create ca trust csr sign show verify check scan convert acme --help" -- "$current")
    return
  fi
  if [[ ${COMP_WORDS[2]} == acme ]]; then
    _rproxy_cert_acme "$current" "$previous"
    return
  fi
  case $previous in
    --key-type) mapfile -t COMPREPLY < <(compgen -W "p256 p384 rsa2048 rsa3072 rsa4096 ed25519" -- "$current"); return ;;
    --usage) mapfile -t COMPREPLY < <(compgen -W "server client" -- "$current"); return ;;
    --purpose) mapfile -t COMPREPLY < <(compgen -W "server client" -- "$current"); return ;;
    --for) mapfile -t COMPREPLY < <(compgen -W "debian fedora arch alpine macos windows firefox nss curl node python java go git rproxy" -- "$current"); return ;;
    --require) mapfile -t COMPREPLY < <(compgen -W "A+ A B C" -- "$current"); return ;;
    --to) mapfile -t COMPREPLY < <(compgen -W "pem der p12" -- "$current"); return ;;
    --ca | --ca-key | --key | --keyout | --out | --p12 | -o) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --passin | --passout) mapfile -t COMPREPLY < <(compgen -W "env: file: prompt" -- "$current"); return ;;
    --at | --common-name | --crit | --days | --max-time | --name | --not-after | --not-before | --organization | --path-length | --permit | --server-name | --timeout | --warn) return ;;
  esac
  case ${COMP_WORDS[2]}:$current in
    create:-*) mapfile -t COMPREPLY < <(compgen -W "--ca --ca-key --passin --key-type --key --keyout --passout --days --not-before --not-after --usage --common-name --organization --out --p12 --force --help" -- "$current") ;;
    ca:-*) mapfile -t COMPREPLY < <(compgen -W "--ca --ca-key --passin --key-type --key --keyout --passout --days --not-before --not-after --organization --path-length --permit --out --force --help" -- "$current") ;;
    trust:-*) mapfile -t COMPREPLY < <(compgen -W "--for --help" -- "$current") ;;
    csr:-*) mapfile -t COMPREPLY < <(compgen -W "--key-type --key --keyout --passout --passin --common-name --organization --must-staple --out --force --help" -- "$current") ;;
    sign:-*) mapfile -t COMPREPLY < <(compgen -W "--ca --ca-key --passin --days --not-before --not-after --usage --name --out --force --help" -- "$current") ;;
    show:-*) mapfile -t COMPREPLY < <(compgen -W "--server-name --timeout --passin --json --help" -- "$current") ;;
    verify:-*) mapfile -t COMPREPLY < <(compgen -W "--ca --key --name --purpose --at --strict --server-name --timeout --passin --json --help" -- "$current") ;;
    check:-*) mapfile -t COMPREPLY < <(compgen -W "--warn --crit --server-name --timeout --passin --json --help" -- "$current") ;;
    scan:-*) mapfile -t COMPREPLY < <(compgen -W "--server-name --timeout --max-time --ca --require --json --help" -- "$current") ;;
    convert:-*) mapfile -t COMPREPLY < <(compgen -W "--to --out --key --keyout --passin --passout --name --force --help" -- "$current") ;;
    create:* | ca:* | csr:* | scan:*) ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}
_rproxy() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "serve route-check health cache-inspect cert --help --version" -- "$current")
    return
  fi
  if [[ ${COMP_WORDS[1]} == cert ]]; then
    _rproxy_cert "$current" "$previous"
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
    --prometheus | --attach | --tests | --output | -o | --tls-key-log) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --workers | --url | --upstream | --endpoint | --timeout | --count | --interval | --warn | --crit | --deny | --allow | --coverage-min | --host | --path | --status | --type | --tag | --min-size | --min-age | --limit | --prefix | --group | --depth | --explain | --header | -H | --from) return ;;
  esac
  case ${COMP_WORDS[1]}:$current in
    serve:-*) mapfile -t COMPREPLY < <(compgen -W "--workers --watch --check --print-config --print-keys --tls-key-log --log-level --help" -- "$current") ;;
    route-check:-*) mapfile -t COMPREPLY < <(compgen -W "--format --strict --deny --allow --online --tests --coverage --coverage-min --update --explain --header --from --diff --list --graph --schema --help" -- "$current") ;;
    health:-*) mapfile -t COMPREPLY < <(compgen -W "--url --upstream --endpoint --timeout --count --interval --watch --json --format --prometheus --attach --warn --crit --help" -- "$current") ;;
    cache-inspect:-*) mapfile -t COMPREPLY < <(compgen -W "--attach --dir --json --ndjson --no-progress --host --path --status --type --tag --fresh --stale --min-size --min-age --sort --limit --header --output --by --depth --repair --prefix --group --all --soft --interval --count --help" -- "$current") ;;
    cache-inspect:*) mapfile -t COMPREPLY < <(compgen -W "stats list top show why cat du verify purge export import" -- "$current") ;;
    serve:* | route-check:* | health:*) mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -S / -- "$current") ;;
  esac
}
complete -o nospace -F _rproxy rproxy
