// Package connecting holds the tests in which a directory is connected from the Control Center's pages: every role is a process of
// its own, signed in to NATS with the rights of deploy/nats, and the directories are the simulator's.
package connecting
