module github.com/basiq-sdk/basiq-go/cmd/basiq

go 1.26.0

require github.com/basiq-sdk/basiq-go v0.0.0
