// Package architecture holds no code. Its tests keep the rules of the house that the compiler does not: which package may
// import which, what may not be named or written anywhere, and that the documents point at things that exist.
//
// Every rule is a function from what it looks at to the faults that it found, so that a test can show it a broken house and
// see it complain.
package architecture
