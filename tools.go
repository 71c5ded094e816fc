//go:build tools

// This file keeps the generator's libraries in go.mod under one name, so
// that `go mod tidy` never drops what `go run ./gen` is built on.
package basiq

import (
	_ "github.com/dave/jennifer/jen"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	_ "golang.org/x/tools/imports"
)
