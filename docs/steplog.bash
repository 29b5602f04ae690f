# bash completion for steplog; installed as share/bash-completion/completions/steplog
_steplog() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local common="--json --since --until --exit-code --color --help" options=
    local commands="failures slow incomplete rate stats tree diff convert recover"
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version" -- "$current")
        return
    fi
    if [ "$command" = help ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
        return
    fi
    case $previous in
    --to) mapfile -t COMPREPLY < <(compgen -W "text json logfmt" -- "$current") && return ;;
    --color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current") && return ;;
    --top | --min-ms | --since | --until | --operation | --step | --alpha | --min-effect) return ;;
    esac
    case $command in
    failures | stats) options="--operation --step" ;;
    slow) options="--top --min-ms --operation --step" ;;
    incomplete | tree) options="--operation" ;;
    rate) options="--step" ;;
    diff) options="--alpha --min-effect --operation --step" ;;
    recover) options="--keep --report" ;;
    convert) options="--to --no-timestamps --ascii" ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _steplog steplog
