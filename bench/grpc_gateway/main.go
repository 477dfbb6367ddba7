// Go's grpc-gateway before the doctor service: listens on the first argument, calls the second.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"runtime"

	"availability"

	gateway "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"
)

func main() {
	// One thread of Go code, as the gateway is one process of Python and Envoy has one worker.
	runtime.GOMAXPROCS(1)
	// The same JSON as the gateway writes: names as in the contract, every field.
	json := &gateway.JSONPb{OrigName: true, EmitDefaults: true}
	mux := gateway.NewServeMux(gateway.WithMarshalerOption(gateway.MIMEWildcard, json))
	options := []grpc.DialOption{grpc.WithInsecure()}
	if err := availability.RegisterDoctorServiceHandlerFromEndpoint(context.Background(), mux, os.Args[2], options); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}
