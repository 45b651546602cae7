package pgparse

// Resplit cuts an edited text, taking over the pieces of the text before the
// edit where they cannot have changed. It returns what Split(text) returns, in
// time that depends on the edit and on the number of pieces, not on what they
// hold.
func Resplit(text, before string, old []Piece) []Piece {
	head := commonPrefix(text, before)
	tail := commonSuffix(text[head:], before[head:])
	delta := len(text) - len(before)
	// What a piece is depends only on the text up to its semicolon, so every
	// piece that ends before the edit stays; reading goes on after the last of
	// them that leaves the splitter in its first state.
	kept := 0
	for kept < len(old) && old[kept].End <= head {
		kept++
	}
	for kept > 0 && !clean(text, old[kept-1]) {
		kept--
	}
	s := splitter{lexer: lexer{text: text}}
	if kept > 0 {
		s.pos = old[kept-1].End
	}
	out := make([]Piece, kept, len(old)+4)
	copy(out, old[:kept])
	next := kept
	for {
		p, ok := s.next()
		if !ok {
			return out
		}
		out = append(out, p)
		if p.End < len(text)-tail || !clean(text, p) {
			continue
		}
		for next < len(old) && old[next].End+delta < p.End {
			next++
		}
		if next == len(old) || old[next].End+delta != p.End || !clean(before, old[next]) {
			continue
		}
		// From here on both texts are the same and so is the state.
		for _, o := range old[next+1:] {
			o.Span = o.Span.Shift(delta)
			o.End += delta
			out = append(out, o)
		}
		return out
	}
}

// clean reports whether the splitter is in its first state after a piece.
func clean(text string, p Piece) bool {
	if !p.Terminated || p.Copy || p.Meta {
		return false
	}
	s := p.Span.Of(text)
	return len(s) < 4 || !foldEqual(s[:4], "copy")
}

const block = 1024

func commonPrefix(a, b string) int {
	n, i := min(len(a), len(b)), 0
	for i+block <= n && a[i:i+block] == b[i:i+block] {
		i += block
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func commonSuffix(a, b string) int {
	n, i := min(len(a), len(b)), 0
	for i+block <= n && a[len(a)-i-block:len(a)-i] == b[len(b)-i-block:len(b)-i] {
		i += block
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}
