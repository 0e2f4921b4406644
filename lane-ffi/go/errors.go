package lane

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrClosed is returned by every method of a [Router] that was closed.
var ErrClosed = errors.New("lane: the router is closed")

// ErrDefect is returned when the engine itself failed: a defect of lane, or memory ran out; never the fault of a request. Nothing
// was decided, and the router goes on answering other requests.
var ErrDefect = errors.New("lane: the engine failed; please report this defect with the configuration and the request")

// Error says why a configuration, or a name given to a method, was refused. Find it with [errors.As].
type Error struct {
	// Diagnostics are all problems at once, sorted by place, with the warnings beside the errors.
	Diagnostics []Diagnostic
	// Unparsable says that the text is no document at all, so that nothing in it could be checked.
	Unparsable bool
}

// Diagnostic is one problem, and where it is: an error, or a warning.
type Diagnostic struct {
	// Severity is "error" or "warning".
	Severity string `json:"severity"`
	// Code is stable, for example LANE0102; `lane explain LANE0102` tells more. Empty for a name given to a method.
	Code string `json:"code"`
	// File is the name given by [WithFile].
	File string `json:"file"`
	// Line and Column count from 1, columns in characters; 0 where there is no text.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is the field, for example groups[0].rules[3].lane.
	Path string `json:"path"`
	// Message says what is wrong, Help what to do about it; Help may be empty.
	Message string `json:"message"`
	Help    string `json:"help"`
}

// String is the diagnostic in one line: FILE:LINE:COLUMN: CODE: PATH: MESSAGE (HELP).
func (d Diagnostic) String() string {
	var parts []string
	if place := d.place(); place != "" {
		parts = append(parts, place)
	}
	if d.Code != "" {
		parts = append(parts, d.Code)
	}
	if d.Path != "" {
		parts = append(parts, d.Path)
	}
	text := strings.Join(append(parts, d.Message), ": ")
	if d.Help != "" {
		text += " (" + d.Help + ")"
	}
	return text
}

func (d Diagnostic) place() string {
	if d.Line == 0 {
		return d.File
	}
	place := strconv.Itoa(d.Line) + ":" + strconv.Itoa(d.Column)
	if d.File != "" {
		place = d.File + ":" + place
	}
	return place
}

// Error lists the errors, one a line.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("lane: ")
	first := true
	for _, diagnostic := range e.Diagnostics {
		if diagnostic.Severity == "warning" {
			continue
		}
		if !first {
			text.WriteString("\n")
		}
		first = false
		text.WriteString(diagnostic.String())
	}
	return text.String()
}

// report is what the engine says about a configuration.
type report struct {
	Version     string       `json:"version"`
	Refused     bool         `json:"refused"`
	Unparsable  bool         `json:"unparsable"`
	Diagnostics []Diagnostic `json:"diagnostics"`
}

func readReport(text []byte, file string) (report, error) {
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%w (its report cannot be read: %w)", ErrDefect, err)
	}
	for i := range r.Diagnostics {
		r.Diagnostics[i].File = file
	}
	return r, nil
}
