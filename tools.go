//go:build ignore

// The libraries that the generator is built on, in one place to read. The file
// is built with no tag: `go mod tidy` of whoever imports this package would
// otherwise require them all.
package basiq

import (
	_ "github.com/dave/jennifer/jen"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	_ "golang.org/x/tools/imports"
)
