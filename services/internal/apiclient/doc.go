// Package apiclient asks the HTTP API of a Control Center: the requests and the types are generated from schemas/openapi.yaml,
// and what is written by hand is how a server is reached, with which token, and what its refusals mean.
package apiclient

//go:generate ../../../bin/oapi-codegen -config config.yaml ../../../schemas/openapi.yaml
