// Package remote is what the adapters of all providers put between themselves and HTTP: connections that trust the
// tenant's CA, a word on each request that was sent, answers that cannot fill the memory, and errors that tell neither a
// URL nor a text of the other side's. It knows no provider.
package remote
