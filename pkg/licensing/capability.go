package licensing

import "slices"

// Capabilities are the actions that a product gates: Licensed are for licensed users, Active for every active user.
type Capabilities struct {
	Licensed []string
	Active   []string
}

// Allows reports whether a user may take an action. Who is not active may take none; an action that the product does not
// name is nobody's.
func (c Capabilities) Allows(active, licensed bool, action string) bool {
	if !active {
		return false
	}
	return slices.Contains(c.Active, action) || licensed && slices.Contains(c.Licensed, action)
}
