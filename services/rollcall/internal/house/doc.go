// Package house has what it takes to run Rollcall as separate processes on one machine, beside a simulator: processes that
// can be killed and asked, free addresses, a certificate to take pushes with, and the service account of a simulated
// Workspace customer.
package house
