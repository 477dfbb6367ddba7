#!/bin/sh
# Builds Go's grpc-gateway (1.6, the newest that Debian 12 has) from Debian's packages alone, into the file that is named.
# apt-get install golang-go protobuf-compiler golang-goprotobuf-dev golang-google-genproto-dev golang-google-grpc-dev \
#   golang-github-grpc-ecosystem-grpc-gateway-dev golang-glog-dev golang-github-ghodss-yaml-dev
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=/usr/share/gocode
google=$code/src/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis
export GO111MODULE=off GOPATH="$work:$code" GOFLAGS=-buildvcs=false GOCACHE="$work/cache"
mkdir -p "$work/src/availability" "$work/bin"
go build -o "$work/bin/" github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway
go build -o "$work/bin/" github.com/golang/protobuf/protoc-gen-go
# Where that generation of the code keeps times.
times=Mgoogle/protobuf/timestamp.proto=github.com/golang/protobuf/ptypes/timestamp
PATH="$work/bin:$PATH" protoc -I"$here" -I"$google" -I/usr/include \
  --go_out="plugins=grpc,$times:$work/src/availability" --grpc-gateway_out="$times:$work/src/availability" "$here/availability.proto"
go build -o "$into" "$here/main.go"
