#!/usr/bin/env bash
# The MCP Inspector's command line makes a video, waits for it, extends it, says what it cost and leaves the film: one
# call, one server.
# `npm i`, then `npm run legacy` or `npm run modern`: the two eras of the protocol. In the modern one the Inspector knows
# the Tasks extension, so create_video comes back with the finished video.
set -eo pipefail
era=${1:-legacy}

# The Inspector hands a server only PATH and the like. This hands on the settings, but not the key, which would be seen in
# the process list: put that into the "env" of a configuration file, and use --config FILE --server veo.
settings=()
for name in "${!VEO_@}"; do
  [ "$name" = VEO_API_KEY ] || settings+=(-e "$name=${!name}")
done

ask() { mcp-inspector --cli veo-mcp "${settings[@]}" --protocol-era "$era" "$@"; }

call() { # TOOL [NAME=VALUE …]
  local tool=$1 pairs=()
  shift
  for pair in "$@"; do pairs+=(--tool-arg "$pair"); done
  ask --method tools/call --tool-name "$tool" "${pairs[@]}"
}

field() { # reads an answer, prints one field of it
  node -pe "JSON.parse(require('fs').readFileSync(0, 'utf8')).$1"
}

finished() { # reads the answer of a create, waits, prints the answer that has the video
  local answer
  answer=$(cat)
  while [[ $(field structuredContent.status <<<"$answer") =~ ^(submitting|pending|processing)$ ]]; do
    answer=$(call get_task task_id="$(field structuredContent.task_id <<<"$answer")" wait_seconds=45)
  done
  echo "$answer"
}

ask --method tools/list --strict | field 'tools.map((tool) => tool.name).join(" ")'
before=$(call get_credits | field structuredContent.balance)

made=$(call create_video prompt="A paper boat on a pond at dawn, soft light, birds singing")
echo "create_video: $(field 'content[0].text' <<<"$made")"
first=$(finished <<<"$made")
first_id=$(field structuredContent.task_id <<<"$first")
more=$(call extend_video task_id="$first_id" prompt="Rain begins to fall on the pond")
echo "extend_video: $(field 'content[0].text' <<<"$more")"
second=$(finished <<<"$more")

ask --method resources/read --uri "veo://tasks/$first_id" | field 'contents[0].text'
echo "It cost $((before - $(call get_credits | field structuredContent.balance))) credits."
echo "completed: $(field 'structuredContent.video_urls[0]' <<<"$first")"
echo "completed: $(field 'structuredContent.video_urls[0]' <<<"$second")"
# The links are good for a while only, and a sandbox's end with its server.
echo "film: $(veo-mcp download "$(field structuredContent.task_id <<<"$second")" --film --out videos)"
