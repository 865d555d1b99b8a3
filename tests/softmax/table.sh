#!/bin/sh
# table.sh TEST_SOFTMAX PAGE: the table of special rows that the test holds is on the page.
table=$("$1" --table) && [ -n "$table" ] || exit 1
echo "$table" | while IFS= read -r line; do
    grep -qxF -e "$line" "$2" || { echo "$2 has not: $line"; exit 1; }
done
