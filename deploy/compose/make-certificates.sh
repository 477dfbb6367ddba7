#!/bin/sh
# Makes an authority, and a certificate of it for each process, to try out mutual TLS with (see tls.yml beside this file):
#   sh deploy/compose/make-certificates.sh [FOLDER]
# Run again, it renews the certificates and keeps the authority. In production this is a certificate manager's work.
set -eu
folder=${1:-$(dirname "$0")/tls}
# Nobody else on this machine gets past the outer folder; inside of it the containers' own account has to read.
mkdir -p "$folder"
chmod 0700 "$folder"
if [ ! -f "$folder/ca.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=telemed-try-out" \
    -addext "keyUsage=critical,keyCertSign" -keyout "$folder/ca.key" -out "$folder/ca.crt"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in appointment doctor video gateway; do
  printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" > "$work/ext"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$work/tls.key" -out "$work/csr"
  openssl x509 -req -in "$work/csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 90 \
    -extfile "$work/ext" -out "$work/tls.crt"
  mkdir -p "$folder/$name"
  for file in "$folder/ca.crt" "$work/tls.key" "$work/tls.crt"; do
    install -m 0644 "$file" "$folder/$name/$(basename "$file")"
  done
done
