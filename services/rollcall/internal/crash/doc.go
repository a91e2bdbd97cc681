// Package crash holds tests that kill and stop rollcall while directories change, and see that it loses and repeats nothing:
// one process over one data folder, again and again, and one of several that share the work. The simulator lives on as a
// process of its own and goes on changing.
package crash
