// Package bench compares this SDK with its peers, on the same work and in one
// run. It is a separate module, so that the SDK does not depend on the peers.
package bench

//go:generate sh -c "cd plain/data && go tool oapi-codegen -config oapi.yaml ../../../specs/data.yml"
//go:generate sh -c "cd plain/reporting && go tool oapi-codegen -config oapi.yaml ../../../specs/reporting.yml"
