// Package openapi is generated from schemas/openapi.yaml: the types of requests and answers, and the server that calls one
// method for each operation.
package openapi

//go:generate ../../../../../bin/oapi-codegen -config config.yaml ../../../../../schemas/openapi.yaml
