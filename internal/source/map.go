package source

import "sort"

// A Segment says where the bytes [At, At+Len) of a derived text come from.
type Segment struct {
	At, Len int
	// Origin is the place in the file. When Exact is set it has Len bytes and
	// they are the same bytes; else the whole run stands for the whole Origin
	// (an escape, an interpolation, a clause that a DSL command was compiled
	// to).
	Origin Span
	Exact  bool
}

// A Map leads from the bytes of a derived text to the bytes of the file it was
// made from. The zero Map maps everything to offset 0. Maps never change.
type Map struct {
	segs []Segment // sorted by At, without gaps
	base int       // added to every origin
}

// Identity maps a text that stands unchanged in its file at start.
func Identity(start, length int) Map {
	return Map{segs: []Segment{{Len: length, Origin: Span{start, start + length}, Exact: true}}}
}

// Shift returns the map with every origin moved by n bytes, without copying.
func (m Map) Shift(n int) Map { m.base += n; return m }

// IsIdentity reports whether the whole text stands unchanged in its file.
func (m Map) IsIdentity() bool { return len(m.segs) == 1 && m.segs[0].Exact }

// Segments returns the pieces in the order of the derived text.
func (m Map) Segments() []Segment {
	out := make([]Segment, len(m.segs))
	for i, s := range m.segs {
		s.Origin = s.Origin.Shift(m.base)
		out[i] = s
	}
	return out
}

func (m Map) find(at int) int {
	return sort.Search(len(m.segs), func(i int) bool { return m.segs[i].At+m.segs[i].Len > at })
}

// Offset leads one byte of the derived text to the file. exact is false when
// only a wider origin is known; the offset is then where that origin starts.
// The offset just past the text leads to the end of the last origin.
func (m Map) Offset(at int) (offset int, exact bool) {
	if len(m.segs) == 0 {
		return m.base, false
	}
	i := m.find(at)
	if i == len(m.segs) {
		last := m.segs[i-1]
		return last.Origin.End + m.base, last.Exact
	}
	s := m.segs[i]
	if s.Exact {
		return s.Origin.Start + max(0, at-s.At) + m.base, true
	}
	return s.Origin.Start + m.base, false
}

// Span leads a range of the derived text to the file: from where its first
// byte came from to the furthest place that any of it came from. Pieces need
// not stand in the order of the file; one from further up (a value given a
// name there) does not move the start.
func (m Map) Span(s Span) Span {
	start, _ := m.Offset(s.Start)
	if s.End <= s.Start || len(m.segs) == 0 {
		return Span{start, start}
	}
	end := start
	first := m.find(s.Start)
	for i := first; i < len(m.segs) && (i == first || m.segs[i].At < s.End); i++ {
		g := m.segs[i]
		last := g.Origin.End
		if g.Exact {
			last = min(last, g.Origin.Start+(s.End-g.At))
		}
		end = max(end, last+m.base)
	}
	return Span{start, end}
}

// Exact returns the file range whose bytes are those of s, or false when some
// byte of s was made from something else.
func (m Map) Exact(s Span) (Span, bool) {
	for i := m.find(s.Start); ; i++ {
		if i >= len(m.segs) {
			if len(m.segs) > 0 && s.Start == s.End {
				last := m.segs[len(m.segs)-1]
				return Span{last.Origin.End + m.base, last.Origin.End + m.base}, last.Exact
			}
			return Span{}, false
		}
		g := m.segs[i]
		if !g.Exact {
			return Span{}, false
		}
		if s.End <= g.At+g.Len {
			break
		}
		// The next piece must go on where this one ended, else bytes of the
		// file that are not in the text (stripped indentation) lie between.
		if i+1 < len(m.segs) && m.segs[i+1].Origin.Start != g.Origin.End {
			return Span{}, false
		}
	}
	return m.Span(s), true
}

// At leads a file offset back to the derived text: the first byte of the text
// that came from there, or false when nothing did.
func (m Map) At(offset int) (int, bool) {
	for _, s := range m.segs {
		o := s.Origin.Shift(m.base)
		if offset < o.Start || offset >= o.End {
			continue
		}
		if s.Exact {
			return s.At + offset - o.Start, true
		}
		return s.At, true
	}
	return 0, false
}

// A Builder makes a derived text together with its Map.
type Builder struct {
	text []byte
	segs []Segment
}

// Len is the number of bytes written so far.
func (b *Builder) Len() int { return len(b.text) }

// Exact appends text that stands in the file, byte for byte, at start.
func (b *Builder) Exact(text string, start int) {
	if text == "" {
		return
	}
	if n := len(b.segs); n > 0 {
		if last := &b.segs[n-1]; last.Exact && last.Origin.End == start {
			last.Len += len(text)
			last.Origin.End += len(text)
			b.text = append(b.text, text...)
			return
		}
	}
	b.segs = append(b.segs, Segment{At: len(b.text), Len: len(text), Origin: Span{start, start + len(text)}, Exact: true})
	b.text = append(b.text, text...)
}

// From appends text that was made from the whole of origin.
func (b *Builder) From(text string, origin Span) {
	if text == "" {
		return
	}
	if n := len(b.segs); n > 0 {
		if last := &b.segs[n-1]; !last.Exact && last.Origin == origin {
			last.Len += len(text)
			b.text = append(b.text, text...)
			return
		}
	}
	b.segs = append(b.segs, Segment{At: len(b.text), Len: len(text), Origin: origin})
	b.text = append(b.text, text...)
}

// Append adds another fragment to the end of this one.
func (b *Builder) Append(f Fragment) {
	for _, s := range f.Map.Segments() {
		t := f.Text[s.At : s.At+s.Len]
		if s.Exact {
			b.Exact(t, s.Origin.Start)
		} else {
			b.From(t, s.Origin)
		}
	}
}

// Fragment returns what was built.
func (b *Builder) Fragment() Fragment {
	return Fragment{Text: string(b.text), Map: Map{segs: append([]Segment(nil), b.segs...)}}
}

// A Fragment is a text together with the place every byte of it came from.
type Fragment struct {
	Text string
	Map  Map
}

// Slice returns the part s of f with its own map.
func (f Fragment) Slice(s Span) Fragment {
	var segs []Segment
	for _, g := range f.Map.segs {
		start, end := max(g.At, s.Start), min(g.At+g.Len, s.End)
		if start >= end {
			continue
		}
		n := Segment{At: start - s.Start, Len: end - start, Origin: g.Origin, Exact: g.Exact}
		if g.Exact {
			n.Origin = Span{g.Origin.Start + start - g.At, g.Origin.Start + end - g.At}
		}
		segs = append(segs, n)
	}
	if len(segs) == 0 { // an empty slice still knows where it stands
		at, exact := f.Map.Offset(s.Start)
		at -= f.Map.base
		segs = []Segment{{Origin: Span{at, at}, Exact: exact}}
	}
	return Fragment{Text: f.Text[s.Start:s.End], Map: Map{segs: segs, base: f.Map.base}}
}
