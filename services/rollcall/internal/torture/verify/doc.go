// Package verify says whether every revocation that Rollcall has published was justified: by a state that the directory was
// in between what caused the revocation and the revocation itself. One that was not is a failure, also when it was healed
// later.
//
// It holds two histories against each other: the Timeline, what the directory held and when, from the simulator's log; and
// the Record, what LEDGER_IN, NOTIFICATIONS and LICENSES hold of one tenant. It shares no code with what it judges: neither
// the worker, nor the ledger, nor the rules.
//
// # The window
//
// A revocation is told at some time, and was caused earlier. Its window begins with the first of
//
//   - the root of its chain of causes: the notification, command or page that everything behind it names as its cause;
//     of an approval what had put the user on the list;
//   - the last contrary evidence: the newest observation that said of the same thing what licenses (the user is active, the
//     member is there, the group has another address), before the one which said what revokes. The directory came to be
//     otherwise at some time between these two. The page that the license was given for is contrary evidence too. Polls
//     have no cause, so that for them this is the only beginning.
//
// It is justified when the directory was as its reason says at some instant of the window. What only the second beginning
// justifies is counted apart, as told late: it was so once, and is perhaps so no longer. A mirror that lags does that. A
// replica that flaps back does not pass: behind the evidence that somebody is a member, the directory has to have held that
// they are not.
//
// All times are of one clock, also those of whoever asks for a refresh: a scaled run scales them all. Of a user who changes
// from one way into the group to another, a mirror that reads the groups one behind the other may see neither. That is
// a failure, too, as it was never so; Revocation.Torn says that it may be of this kind.
//
// What was observed before the decision that gave the license is no ground for taking it away: that decision knew it. Nor is
// an observation whose stamp is older than one that came before it.
package verify
