package citizen

import "slices"

// callersMax bounds whom Callers remembers: more than the lists of any phone hold.
const callersMax = 100

// Callers are the last hundred who called and showed a number, so that they can be called back. The zero value is
// ready to use.
type Callers struct{ list []Citizen } // oldest first

// Remember adds a citizen. Who called before under the number is replaced; a withheld number cannot be called.
func (c *Callers) Remember(one Citizen) {
	if one.Party.Number == "" {
		return
	}
	c.list = slices.DeleteFunc(c.list, func(x Citizen) bool { return x.Party.Number == one.Party.Number })
	c.list = append(c.list, one)
	c.list = c.list[max(0, len(c.list)-callersMax):]
}

// Find returns who called with the number, or nil.
func (c *Callers) Find(number string) *Citizen {
	i := slices.IndexFunc(c.list, func(x Citizen) bool { return x.Party.Number == number })
	if i < 0 {
		return nil
	}
	return &c.list[i]
}
