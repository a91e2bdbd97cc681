// Package rights holds tests of deploy/nats/users.conf: each user of a shared NATS server can do what it needs, and not what
// it must not. What each role needs is proved on the whole in package crash, whose processes run with these users.
package rights
