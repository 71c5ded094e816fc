module github.com/basiq-sdk/basiq-go/internal/contract

go 1.26.0

require (
	github.com/basiq-sdk/basiq-go v0.0.0
	github.com/getkin/kin-openapi v0.152.0
	go.yaml.in/yaml/v3 v3.0.6
	golang.org/x/mod v0.42.0
)

require (
	github.com/go-openapi/jsonpointer v1.0.2 // indirect
	github.com/gorilla/mux v1.8.0 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/oasdiff/yaml v0.1.1 // indirect
	github.com/oasdiff/yaml3 v0.0.14 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	golang.org/x/text v0.43.0 // indirect
)

// Nobody installs this module: it holds tests of the SDK in this very tree.
replace github.com/basiq-sdk/basiq-go => ../..
