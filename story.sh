#!/usr/bin/env bash
# A first evening in the community, by curl: two people sign up, one publishes a photo, the other follows, likes,
# comments and replies; both documents, D and B, tell the same of it. Stops at the first answer that is not as it should
# be.
#
#   cargo run                                     in one terminal
#   ./story.sh [http://127.0.0.1:9000 [photo.jpg]]   in another
set -euo pipefail

api=${1:-http://127.0.0.1:9000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Numbers of their own at each run: a phone signs up once.
number=$(date +%s)
mia=1370${number: -7} leo=1380${number: -7}

# call <operation> <JSON fields>: document D's way; the answer is shown and kept.
call() {
  answer=$(curl -sS "$api/$1" -H 'Content-Type: application/json' -d "$2")
  printf '%-24s %s\n' "$1" "$(cut -c1-160 <<<"$answer")"
  [[ $answer == *'"code":0'* ]] || exit 1
}

# field <name>: the first value of that name in the last answer.
field() { grep -o "\"$1\":\"\?[^\",}]*" <<<"$answer" | head -1 | sed "s/\"$1\":\"\?//"; }

# expect <text>: the last answer holds it.
expect() {
  [[ $answer == *"$1"* ]] || { printf 'expected %s in\n%s\n' "$1" "$answer"; exit 1; }
}

# sign_up <phone> <nickname>
sign_up() {
  call send_sms_code "{\"country\": \"86\", \"phone\": \"$1\"}"
  answer=$(curl -sS "$api/_local/sms?country=86&phone=$1")
  call user_signup "{\"country\": \"86\", \"phone\": \"$1\", \"code\": \"$(field code)\", \"password\": \"secret2026\", \"nickname\": \"$2\"}"
}

echo "— Mia signs up, names a photo, uploads it past the API, publishes it."
sign_up "$mia" Mia
as_mia="\"token\": \"$(field token)\"" mia_id=$(field uid)
photo=${2:-$folder/photo.jpg}
if [[ -z ${2:-} ]]; then
  answer=$(curl -sS "$api/user/pic/list?limit=1")
  curl -sS "$(field url)" -o "$photo"
fi
call get_media_id "{$as_mia}"
media=$(field media_id) upload=$(grep -o 'http[^"]*' <<<"$answer")
curl -sS -T "$photo" -H 'Content-Type: image/jpeg' "$upload"
call article_publish "{$as_mia, \"content\": \"The lake, before the rain.\", \"images\": [\"$media\"]}"
article=$(field article_id)
call article_publish "{$as_mia, \"content\": \"And now it pours.\"}"

echo "— Leo signs up, follows her, finds the photo in his feed, likes it, comments."
sign_up "$leo" Leo
as_leo="\"token\": \"$(field token)\"" leo_id=$(field uid) leo_token=$(field token)
call user_follow "{$as_leo, \"to_uid\": \"$mia_id\"}"
# Some moments later, at most.
for _ in {1..50}; do
  call following_article_list "{$as_leo}" >"$folder/out"
  [[ $answer == *"$article"* ]] && break
  sleep 0.1
done
cat "$folder/out"
expect "\"article_id\":$article"
expect '"nickname":"Mia"'
call article_like "{$as_leo, \"article_id\": $article}"
call article_like "{$as_leo, \"article_id\": $article}" # again: it stays one
call article_comment_publish "{$as_leo, \"article_id\": $article, \"content\": \"Which lake?\"}"
comment=$(field comment_id)
call article_comment_reply "{$as_mia, \"article_id\": $article, \"reply_id\": $comment, \"content\": \"The upper one.\", \"first_reply_id\": $comment}"

echo "— Mia sees his name, one like, two comments; Leo sees that he likes it."
call article_detail "{$as_mia, \"article_id\": $article}"
expect '"nickname":"Leo"' && expect '"like_count":1' && expect '"comment_count":2' && expect '"is_like":false'
call article_detail "{$as_leo, \"article_id\": $article}"
expect '"is_like":true' && expect '"is_follow":true'
call user_info "{$as_leo, \"to_uid\": \"$mia_id\"}"
expect '"follower_count":1' && expect '"article_count":2'

echo "— Document B shows the same: Leo's phone signs in by its device id."
device="leos-phone-$number"
b() {
  answer=$(curl -sS "$api/m_user/$1" -H "X-Device-Id: $device" "${@:2}")
  printf '%-24s %s\n' "m_user/${1%%\?*}" "$(cut -c1-160 <<<"$answer")"
}
b login -X POST
expect '"code":1001'
b login -X POST -H "Authorization: $leo_token" # his token ties the device to him
expect "\"id\":\"$leo_id\""
b "users/$mia_id/homepage"
expect '"post_count":2' && expect "\"key\":\"$media\"" && expect "\"id\":\"$article\""
b "comments?target_id=$article&target_type=post&cursor=&offset=0&limit=10"
expect '"total":2' && expect 'The upper one.'

echo "— She deletes the photo: it is gone from his feed at once."
call article_del "{$as_mia, \"article_id_list\": [$article]}"
call following_article_list "{$as_leo}"
[[ $answer != *"$article"* ]]
echo "— Operators bring a game and a master with a project; Leo plays, votes, follows; then the game is withdrawn."
content() {
  answer=$(curl -sS "$api/_local/catalog" -H 'Content-Type: application/json' -d "{\"records\": [$1]}")
  printf '%-24s %s\n' "_local/catalog" "$(cut -c1-160 <<<"$answer")"
}
game="\"kind\": \"game\", \"game_id\": $number, \"name\": \"Kites\", \"image\": \"$media\", \"intro\": \"For windy days.\", \"recommended\": true"
master_id=$(printf '%032x' "$number")
master="\"kind\": \"master\", \"master_id\": \"$master_id\", \"name\": \"Master Wen\", \"avatar\": \"$media\", \"intro\": \"Sings.\", \"address\": \"1 Lake Road\", \"birthday\": \"1980-02-29\""
project="\"kind\": \"project\", \"project_id\": $number, \"master_id\": \"$master_id\", \"name\": \"Songs\", \"image\": \"$media\", \"intro\": \"On Fridays.\""
content "{$project}, {$game}, {$master}"
expect '"imported":3'
content "{$project}, {$game}, {$master}"
expect '"unchanged":3'
call game_recommend_list "{$as_leo}"
expect "\"game_id\":$number"
call game_like "{$as_leo, \"game_id\": $number}"
call game_collect "{$as_leo, \"game_id\": $number}"
call game_comment_publish "{$as_mia, \"game_id\": $number, \"content\": \"Mine tore.\"}"
comment=$(field comment_id)
call game_comment_up "{$as_leo, \"comment_id\": $comment}"
call game_comment_down "{$as_leo, \"comment_id\": $comment}"
call game_comment_list "{$as_leo, \"game_id\": $number}"
expect '"up_count":0' && expect '"down_count":1' && expect '"is_down":true'
call game_detail "{$as_leo, \"game_id\": $number}"
expect '"is_collect":true'
call master_follow "{$as_leo, \"master_id\": \"$master_id\"}"
for _ in $(seq 100); do # the feed follows within a moment
  call my_following_masters_project_list "{$as_leo}" >"$folder/out"
  [[ $answer == *"\"project_id\":$number"* ]] && break
  sleep 0.1
done
cat "$folder/out"
expect "\"project_id\":$number"
content "{$game, \"withdrawn\": true}"
call game_recommend_list "{$as_leo}"
[[ $answer != *"\"game_id\":$number"* ]]
echo "— Leo goes shopping: from a banner to the master's songs; two tickets into the cart, ordered, paid, his."
stalls="${number}0" rest="${number}1"
banner="\"kind\": \"banner\", \"banner_id\": $number, \"place\": \"home\", \"image\": \"$media\", \"url\": \"https://example.com/songs-$number\""
tickets="\"kind\": \"ticket\", \"ticket_id\": $stalls, \"project_id\": $number, \"name\": \"Stalls\", \"image\": \"$media\", \"intro\": \"Row five.\", \"price\": 19900, \"count\": 3"
content "{$banner}, {$tickets}"
expect '"imported":2'
call home_banner "{$as_leo}"
expect "songs-$number"
call project_detail "{$as_leo, \"project_id\": $number}"
expect '"ticket_count":3'
call ticket_list "{$as_leo, \"project_id\": $number}"
expect "\"ticket_id\":$stalls"
for ticket in "$stalls" "$rest"; do call shopping_cart_add "{$as_leo, \"ticket_id\": $ticket}"; done
call shopping_cart_info "{$as_leo}"
expect "\"ticket_id\":$rest"
call order_create_by_shopping_cart "{$as_leo, \"ticket_id_list\": [$stalls, $rest]}"
order=$(field order_id)
call order_detail "{$as_leo, \"order_id\": $order}"
expect '"price":39800' && expect '"status":0'
call ticket_list "{$as_mia, \"project_id\": $number}" # held for him
[[ $answer != *"\"ticket_id\":$stalls"* && $answer != *"\"ticket_id\":$rest"* ]]
call order_pay "{$as_leo, \"order_id\": $order}"
call order_pay "{$as_leo, \"order_id\": $order}" # again: it is paid once
call my_order_list "{$as_leo, \"status\": 1}"
expect "\"order_id\":$order"
call my_ticket_list "{$as_leo}"
expect "\"ticket_id\":$stalls" && expect "\"ticket_id\":$rest"
call project_detail "{$as_mia, \"project_id\": $number}"
expect '"ticket_count":1'
echo "— He writes to the master; the answer comes through the operators, once; what he deletes is gone for him alone."
call send_message_to_master "{$as_leo, \"master_id\": \"$master_id\", \"content\": \"Is there a coat rack?\"}"
question=$(field message_id)
reply="\"kind\": \"message\", \"record_id\": \"reply-$number\", \"from_id\": \"$master_id\", \"to_user_id\": \"$leo_id\", \"content\": \"By the stove.\""
content "{$reply}"
expect '"imported":1'
content "{$reply}" # again: it is said once
expect '"unchanged":1'
call my_message_center "{$as_leo}"
expect "\"master_id\":\"$master_id\"" && expect '"name":"Master Wen"' && expect 'By the stove.'
call my_message "{$as_leo, \"to_id\": \"$master_id\"}"
expect 'By the stove.' && expect 'Is there a coat rack?' && expect "\"from_id\":\"$leo_id\""
call message_del "{$as_leo, \"message_id_list\": [$question]}"
call my_message "{$as_leo, \"to_id\": \"$master_id\"}"
[[ $answer != *'coat rack'* ]]
call send_message_to_user "{$as_leo, \"to_uid\": \"$mia_id\", \"content\": \"Two seats. Coming?\"}"
call my_message_center "{$as_mia}"
expect '"type":"user"' && expect '"nickname":"Leo"' && expect 'Two seats. Coming?'
echo "— Done."
