// Package basiq is the front door of the Go SDK for Basiq's open-finance API
// (Australia, API v3).
package basiq
