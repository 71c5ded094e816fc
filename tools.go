//go:build ignore

// This file lists the libraries that the generator is built on. No build tag
// includes it, because `go mod tidy` would otherwise add all of them to every
// module that imports this package.
package basiq

import (
	_ "github.com/dave/jennifer/jen"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	_ "golang.org/x/tools/imports"
)
