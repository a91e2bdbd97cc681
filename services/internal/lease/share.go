package lease

import (
	"cmp"
	"maps"
	"slices"
)

// shares says how many of the keys each member is to hold, of those whose number of keys now is given: as even as can be.
// The odd ones are for those who hold most, so that as little as possible moves.
func shares(keys int, held map[int]int) map[int]int {
	members := slices.Collect(maps.Keys(held))
	slices.SortFunc(members, func(a, b int) int { return cmp.Or(cmp.Compare(held[b], held[a]), cmp.Compare(a, b)) })
	share := map[int]int{}
	for i, m := range members {
		share[m] = keys / len(members)
		if i < keys%len(members) {
			share[m]++
		}
	}
	return share
}
