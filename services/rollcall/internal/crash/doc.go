// Package crash holds one test: rollcall is killed again and again while a directory changes, and loses and repeats
// nothing. The simulator lives on as a process of its own and goes on changing while Rollcall is down.
package crash
