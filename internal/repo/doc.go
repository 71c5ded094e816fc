// Package repo tests the repository as a whole: what it imports and requires,
// that no file holds a credential, that the README's programs run, and that
// the budgets of size and allocations hold.
package repo
