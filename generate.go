package basiq

//go:generate go run ./gen generate
