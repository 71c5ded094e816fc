package main

import (
	_ "github.com/dave/jennifer/jen"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/getkin/kin-openapi/openapi3filter"
	_ "github.com/getkin/kin-openapi/routers/gorillamux"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	_ "github.com/rogpeppe/go-internal/diff"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	_ "github.com/spf13/cobra"
	_ "golang.org/x/tools/go/packages"
	_ "golang.org/x/tools/imports"
	_ "gopkg.in/yaml.v3"
)

func main() {}
