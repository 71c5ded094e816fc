// Package repo tests the repository as a whole: its imports and dependencies,
// the absence of credentials, the programs in the README, and the budgets for
// size and allocations.
package repo
