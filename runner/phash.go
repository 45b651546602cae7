package runner

import "encoding/binary"

// ectoAdvisoryKey is the key of the advisory lock that Ecto takes with
// migration_lock: :pg_advisory_lock: Erlang's portable hash of
// {:ecto, prefix, Repo}, with an empty prefix for nil. With the same key ddlsp
// and a running mix exclude each other.
func ectoAdvisoryKey(prefix, repo string) int64 {
	h := mixTo(0, 3, 0, hconst*9) // a tuple of three
	h = hashAtom(h, "ecto")
	if prefix == "" {
		h = hashAtom(h, "nil")
	} else {
		h = hashBlock([]byte(prefix), hconst*13+h)
	}
	h = hashAtom(h, "Elixir."+repo)
	return int64(h & (1<<27 - 1))
}

// The hash is Bob Jenkins' lookup2, as the Erlang runtime applies it.

// hconst is a variable so that its multiples wrap around.
var hconst uint32 = 0x9e3779b9

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	a = (a - b - c) ^ c>>13
	b = (b - c - a) ^ a<<8
	c = (c - a - b) ^ b>>13
	a = (a - b - c) ^ c>>12
	b = (b - c - a) ^ a<<16
	c = (c - a - b) ^ b>>5
	a = (a - b - c) ^ c>>3
	b = (b - c - a) ^ a<<10
	c = (c - a - b) ^ b>>15
	return a, b, c
}

// mixTo mixes two words into a hash.
func mixTo(hash, x, y, constant uint32) uint32 {
	_, _, hash = mix(constant+x, constant+y, hash)
	return hash
}

func hashAtom(hash uint32, name string) uint32 {
	var h uint32
	for i := 0; i < len(name); i++ {
		v := name[i]
		// Two-byte characters of Latin-1 count as the one byte they were.
		if i+1 < len(name) && v&0xFE == 0xC2 && name[i+1]&0xC0 == 0x80 {
			v = v<<6 | name[i+1]&0x3F
			i++
		}
		h = h<<4 + uint32(v)
		if g := h & 0xf0000000; g != 0 {
			h ^= g >> 24
			h ^= g
		}
	}
	return mixTo(hash, h, 0, hconst*3)
}

func hashBlock(data []byte, c uint32) uint32 {
	if len(data) == 0 {
		return c
	}
	a, b, n := hconst, hconst, uint32(len(data))
	for len(data) >= 12 {
		a += binary.LittleEndian.Uint32(data)
		b += binary.LittleEndian.Uint32(data[4:])
		c += binary.LittleEndian.Uint32(data[8:])
		a, b, c = mix(a, b, c)
		data = data[12:]
	}
	c += n
	// The lowest byte of c is taken by the length.
	for i, v := range data {
		switch {
		case i < 4:
			a += uint32(v) << (8 * i)
		case i < 8:
			b += uint32(v) << (8 * (i - 4))
		default:
			c += uint32(v) << (8 * (i - 7))
		}
	}
	_, _, c = mix(a, b, c)
	return c
}
