#!/usr/bin/env bash
# Whether an API is up and in its right mind: asks the runner's or a deployed one, and leaves nothing behind.
#
#   ./smoke.sh http://127.0.0.1:9000
#   ACCOUNT=<phone> PASSWORD=<password> ./smoke.sh https://….execute-api.eu-west-1.amazonaws.com
#
# With an account it also makes a gallery and an article and deletes them. What cannot be taken back: the number that
# the article drew, which stays a hole in the list of all articles.
# shellcheck disable=SC2016  # They are jq's variables.
set -euo pipefail
base=${1:?the address of an API: http://127.0.0.1:9000}
base=${base%/}
failed=0

# ask <what> <jq test of {status, body}> <curl arguments…>: says whether the answer is as it should be, keeps its body.
ask() {
  local what=$1 test=$2 status
  shift 2
  status=$(curl --silent --show-error --max-time 20 --output "$answer" --write-out '%{http_code}' "$@") || status=0
  body=$(cat "$answer")
  # What is no JSON is a text.
  [[ -n $body ]] && jq . <<<"$body" >/dev/null 2>&1 || body=$(jq -Rs . <<<"$body")
  if jq -en --argjson body "$body" --argjson status "$status" "$test" >/dev/null; then
    printf 'ok      %s\n' "$what"
  else
    printf 'FAILED  %s: %s %s\n' "$what" "$status" "${body:0:300}"
    failed=1
  fi
}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
json=(-H 'content-type: application/json')

ask 'the clock goes right' '$status == 200 and $body.code == 0' "${json[@]}" -d '{}' "$base/current_time"
ask 'the table is read' '$status == 200 and $body.code == 0 and ($body.data.list | type) == "array"' "$base/user/pic/list?limit=1"
ask 'a stranger is refused' '$body.code == 401' "${json[@]}" -d '{"token":"none"}' "$base/my_user_info"
ask 'a missing field is named' '$body.code == 400 and ($body.msg | length) > 0' "${json[@]}" -d '{}' "$base/send_sms_code"
ask 'nothing is where nothing is' '$status == 404' "$base/there-is-no-such-path"
ask 'browsers may call' '$status >= 200 and $status < 300' -X OPTIONS -H 'origin: https://app.example.org' \
  -H 'access-control-request-method: POST' -H 'access-control-request-headers: content-type' "$base/current_time"

if [[ -n ${ACCOUNT-} ]]; then
  login=$(jq -n --arg account "$ACCOUNT" --arg password "${PASSWORD:?beside ACCOUNT}" '{user_type: "1", account: $account, password: $password}')
  ask 'a user logs in' '$body.code == 1000' "${json[@]}" -d "$login" "$base/user/login"
  token=$(jq -r '.data.user_info.token // empty' <<<"$body")
  # as <operation> <fields>: document D's.
  as() { ask "$1" '$body.code == 0' "${json[@]}" -d "$(jq -n --arg token "$token" --argjson rest "$2" '$rest + {token: $token}')" "$base/$1"; }
  if [[ -n $token ]]; then
    as my_user_info '{}'
    ask 'a gallery is made' '$body.code == 0' -H "authorization: $token" "${json[@]}" -d '{"name":"smoke test"}' "$base/user/pic_dir/create"
    gallery=$(jq '.data.pic_dir_id' <<<"$body")
    ask 'and deleted' '$body.code == 0' -H "authorization: $token" "${json[@]}" -d "{\"pic_dir_id\":$gallery}" "$base/user/pic_dir/delete"
    as article_publish '{"content":"Is anybody there? (A smoke test.)"}'
    as article_del "$(jq '{article_id_list: [.article_id]}' <<<"$body")"
    as user_logout '{}'
  fi
fi
((failed == 0))
