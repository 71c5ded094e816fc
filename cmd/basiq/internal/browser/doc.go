// Package browser drives a headless Chromium over the pipes of its DevTools protocol, for
// the tests of pages. It needs nothing but a Chromium, and a system with Unix pipes.
package browser
