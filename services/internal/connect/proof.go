package connect

import (
	"slices"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Proof is what a look at a directory has come to.
type Proof struct {
	Findings []receiver.Finding `json:"findings"`
	// Complete: nothing is left to do, and the directory is the one that was named.
	Complete bool `json:"complete"`
}

// whose is the check that the directory which is read is the one that was named.
const whose = "directory"

func proofOf(findings []receiver.Finding) *Proof {
	named := slices.ContainsFunc(findings, func(f receiver.Finding) bool { return f.Check == whose && f.State == receiver.Passed })
	return &Proof{Findings: findings, Complete: named && !slices.ContainsFunc(findings, receiver.Finding.Troubling)}
}
