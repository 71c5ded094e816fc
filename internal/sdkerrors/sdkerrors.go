// Package sdkerrors recognizes the errors of this module's packages. A callback may
// return an error of another call. That error must not make the call that used the
// callback look as if the API had responded to it.
package sdkerrors

import (
	"errors"
	"sync/atomic"
)

// ErrNoCredentials is in the error of a client that is created without any credential.
var ErrNoCredentials = errors.New("no credentials: use WithAPIKey or WithTokenSource; for an API other than Basiq's, use WithCredential or WithoutCredentials")

// Package is a package with errors of its own.
type Package int

// The packages that have a test for their errors.
const (
	Transport Package = iota
	Main
	packages
)

var tests [packages]atomic.Pointer[func(error) bool]

// Register sets the test for the errors of a package. It is called when a client is
// created, because the packages of this module run no code before main. The test
// examines one error, not those that it wraps.
func Register(p Package, made func(error) bool) { tests[p].Store(&made) }

// Made reports whether err is an error of a package that registered a test.
func Made(err error) bool {
	for i := range tests {
		if made := tests[i].Load(); made != nil && (*made)(err) {
			return true
		}
	}
	return false
}

// TextOf returns err, or only its text if Made is true for an error in its tree.
func TextOf(err error) error {
	if Holds(err, Made) {
		return errors.New(err.Error())
	}
	return err
}

// Holds reports whether f is true for an error in the tree of err.
func Holds(err error, f func(error) bool) bool {
	if err == nil {
		return false
	}
	if f(err) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return Holds(e.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if Holds(err, f) {
				return true
			}
		}
	}
	return false
}
