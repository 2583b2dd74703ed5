#!/bin/sh
# An agent of nothing but a shell and curl: it asks a model and reports what the call used.
# Usage: AGENTMETER_ENDPOINT=… AGENTMETER_KEY=… OPENAI_API_KEY=… ./curl_agent.sh "What is a token?"
set -eu
model=${MODEL:-gpt-4o-mini}
base=${OPENAI_BASE_URL:-https://api.openai.com/v1}

new_id() {
    cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen
}

# Keys go in through stdin: arguments can be seen by every user of the machine.
# curl repeats the same event, with the same id, on 408, 429 and 5xx, as Retry-After asks.
post_event() { # type, data
    body="{\"specversion\":\"1.0\",\"id\":\"$(new_id)\",\"source\":\"curl-agent\",\"type\":\"$1\",\"time\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"data\":$2}"
    printf 'header = "x-functions-key: %s"\n' "$AGENTMETER_KEY" |
        curl -sS -K - -o /dev/null --max-time 10 --retry 5 --retry-connrefused --retry-max-time 60 --fail \
            -H 'content-type: application/json' --data "$body" "${AGENTMETER_ENDPOINT%/}/api/events" ||
        echo "the event was not sent: $1" >&2
}

field() { # the first number or text of that name in the answer
    printf %s "$answer" | tr -d '\n' | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

question=$(printf %s "${1:-What is a token?}" | sed 's/\\/\\\\/g; s/"/\\"/g')
answer=$(printf 'header = "authorization: Bearer %s"\n' "$OPENAI_API_KEY" |
    curl -sS -K - --max-time 120 -w '\n{"seconds": %{time_total}}' -H 'content-type: application/json' \
        --data "{\"model\":\"$model\",\"messages\":[{\"role\":\"user\",\"content\":\"$question\"}]}" \
        "$base/chat/completions") || true

common="\"provider\":\"openai\",\"model\":\"$model\""
if [ -n "$(field prompt_tokens)" ]; then
    post_event llm.call "{$common,\"status\":\"success\",\"duration_s\":$(field seconds),\"response_id\":\"$(printf %s "$answer" | tr -d '\n' | sed -n 's/^[^"]*"id": *"\([^"]*\)".*/\1/p')\",\"usage\":{\"input_tokens\":$(field prompt_tokens),\"output_tokens\":$(field completion_tokens)}}"
else
    post_event llm.call "{$common,\"status\":\"error\"}"
fi
printf '%s\n' "$answer" | sed '$d'
