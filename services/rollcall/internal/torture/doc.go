// Package torture runs the whole of Rollcall as separate processes against simulated directories, under load and a plan of
// faults, kills its parts at random moments, and says whether what it has published is true at the end and was at every
// time. The simulator alone is never killed: it is the truth.
package torture
