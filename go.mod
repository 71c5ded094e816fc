module github.com/basiq-sdk/basiq-go

go 1.26.0

// Used by tests only. A consumer's build compiles this module and the standard
// library; whatever else is needed here belongs in gen or in internal/contract.
require github.com/google/go-cmp v0.7.0
