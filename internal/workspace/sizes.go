package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"time"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/config"
)

// SizesName is the file with the sizes of tables, relative to the directory of
// the configuration, or of the project where there is none. It is meant to be
// committed: everybody's editor and CI then say the same.
const SizesName = ".ddlsp/sizes.json"

// Sizes are the sizes of a database's tables at some time.
type Sizes struct {
	// Database is its name in the configuration.
	Database string
	ReadAt   time.Time
	// Tables are those whose size is known, by name (schema.table outside
	// public).
	Tables map[string]analysis.TableSize
}

// The form of the file.
type (
	sizesJSON struct {
		Version  int                  `json:"version"`
		Database string               `json:"database"`
		ReadAt   time.Time            `json:"read_at"`
		Tables   map[string]tableJSON `json:"tables"`
	}
	tableJSON struct {
		Rows    int64 `json:"rows"`
		Bytes   int64 `json:"bytes"`
		AtLeast bool  `json:"at_least,omitempty"`
	}
)

const sizesVersion = 1

// MarshalJSON writes the file's form. Numbers keep two digits: the statistics
// are no better, and a file that is written again differs only where a table
// has really grown.
func (s *Sizes) MarshalJSON() ([]byte, error) {
	out := sizesJSON{sizesVersion, s.Database, s.ReadAt.UTC().Truncate(24 * time.Hour), map[string]tableJSON{}}
	for name, t := range s.Tables {
		if t.Rows >= 0 {
			out.Tables[name] = tableJSON{twoDigits(t.Rows), twoDigits(t.Bytes), t.AtLeast}
		}
	}
	return json.Marshal(out)
}

func twoDigits(n int64) int64 {
	if n < 100 {
		return n
	}
	unit := int64(math.Pow10(int(math.Log10(float64(n))) - 1))
	return (n + unit/2) / unit * unit
}

// ParseSizes reads the file's form.
func ParseSizes(text string) (*Sizes, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	var in sizesJSON
	if err := dec.Decode(&in); err != nil {
		return nil, err
	}
	if in.Version != sizesVersion {
		return nil, fmt.Errorf("it has version %d, and this ddlsp reads %d", in.Version, sizesVersion)
	}
	s := &Sizes{Database: in.Database, ReadAt: in.ReadAt, Tables: make(map[string]analysis.TableSize, len(in.Tables))}
	for name, t := range in.Tables {
		if t.Rows < 0 || t.Bytes < 0 {
			return nil, fmt.Errorf("table %q has a size below zero", name)
		}
		s.Tables[name] = analysis.TableSize{Rows: t.Rows, Bytes: t.Bytes, AtLeast: t.AtLeast}
	}
	return s, nil
}

// SizesPath is where the project's file of table sizes lies.
func (p *Project) SizesPath() string {
	dir := p.Config.Dir()
	if dir == "" {
		dir = p.Root
	}
	return filepath.Join(dir, filepath.FromSlash(SizesName))
}

// Sizes are those of the project's file, nil without one.
func (p *Project) Sizes() (*Sizes, error) {
	path := p.SizesPath()
	text, err := p.snap.text(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := p.snap.cache.tableSizes(path, text)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; write it again with `ddlsp lint --database NAME --write-sizes`", path, err)
	}
	return s, nil
}

// A basis is what findings rest on beside the migrations.
type basis struct {
	plan     *plan
	settings config.Settings
	sizes    *Sizes
}

// restOn forgets the results of a history that rest on other settings or sizes.
// h.mu is held.
func (h *history) restOn(b basis) {
	if h.basis.plan != b.plan || h.basis.sizes != b.sizes {
		if !reflect.DeepEqual(h.basis.settings, b.settings) || !reflect.DeepEqual(h.basis.sizes, b.sizes) {
			h.results = map[int]analysis.Result{}
		}
		h.basis = b
	}
}
