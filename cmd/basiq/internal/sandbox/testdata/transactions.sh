# From a user to transactions with curl: the control API connects the bank.
set -eu
value() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
api() { curl -sSf -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }

token=$(curl -sSf "$BASIQ_BASE_URL/token" -H "Authorization: Basic $BASIQ_API_KEY" -H 'basiq-version: 3.0' -d scope=SERVER_ACCESS | value access_token)
user=$(api "$BASIQ_BASE_URL/users" -d '{"email":"max@example.com"}' | sed 's/.*"id":"\([^"]*\)".*/\1/')
curl -sSf "$BASIQ_BASE_URL/_sandbox/api/users/$user/connections" -H "Authorization: Bearer $CONTROL_KEY" -H 'Content-Type: application/json' -d '{"login":"richard"}' >/dev/null
next=$BASIQ_BASE_URL/users/$user/transactions
count=0
while [ -n "$next" ]; do
	page=$(api "$next")
	rows=$(printf '%s' "$page" | grep -o '"type":"transaction"' | wc -l)
	count=$((count + rows))
	next=$(printf '%s' "$page" | sed -n 's/.*"next":"\([^"]*\)"}}$/\1/p')
done
echo "$count transactions"
