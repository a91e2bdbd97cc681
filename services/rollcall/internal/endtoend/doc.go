// Package endtoend holds tests of the whole: a provider's push goes in at one end, and what a consumer hears at the other
// is compared with the directory. Rollcall runs in the test's process with everything that it has in production: the SDK,
// NATS, SQLite, TLS. The directory is the simulator.
package endtoend
