package lane

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MarshalJSON gives the same object as every other front-end of lane, with keys in the same order (S29).
func (d Decision) MarshalJSON() ([]byte, error) { return d.AppendJSON(nil), nil }

// AppendJSON appends the object of [Decision.MarshalJSON], byte for byte as the lane command prints it.
func (d *Decision) AppendJSON(to []byte) []byte {
	to = append(to, `{"outcome":`...)
	to = appendString(to, d.Outcome.String())
	to = append(to, `,"status":`...)
	to = strconv.AppendInt(to, int64(d.Status()), 10)
	to = appendMaybe(to, `,"group":`, d.Group, d.Group != "")
	to = appendMaybe(to, `,"rule":`, d.Rule, d.Rule != "")
	to = appendMaybe(to, `,"lane":`, d.Lane, d.Lane != "")
	to = appendMaybe(to, `,"service":`, d.Service, d.Service != "" || d.atHop)
	to = append(to, `,"subset":`...)
	to = d.Subset.append(to)
	if from, into, ok := d.Fallback(); ok {
		to = append(to, `,"fallback":{"from":`...)
		to = appendString(to, from)
		to = append(to, `,"to":`...)
		to = append(appendString(to, into), '}')
	} else {
		to = append(to, `,"fallback":null`...)
	}
	to = appendMaybe(to, `,"reason":`, d.Reason.String(), d.Reason != 0)
	if d.Found.In != 0 {
		to = append(to, `,"found":{"value":`...)
		to = appendBytes(to, d.Found.Value)
		to = append(to, `,"in":`...)
		to = append(appendString(to, d.Found.In.String()), '}')
	} else {
		to = append(to, `,"found":null`...)
	}
	to = append(to, `,"set_headers":{`...)
	for i, header := range d.SetHeaders {
		to = appendComma(to, i)
		to = append(appendString(to, header.Name), ':')
		to = appendBytes(to, header.Value)
	}
	to = append(to, `},"remove_headers":`...)
	to = appendStrings(to, d.RemoveHeaders)
	if d.SetCookie != nil {
		to = append(to, `,"set_cookie":{"name":`...)
		to = appendString(to, d.SetCookie.Name)
		to = append(to, `,"value":`...)
		to = appendString(to, d.SetCookie.Value)
		to = append(to, `,"ttl_seconds":`...)
		to = strconv.AppendUint(to, uint64(d.SetCookie.TTLSeconds), 10)
		to = append(to, '}')
	} else {
		to = append(to, `,"set_cookie":null`...)
	}
	to = append(to, `,"remember":[`...)
	for i, remembered := range d.Remember {
		to = appendComma(to, i)
		to = remembered.append(to)
	}
	to = append(to, `],"notes":`...)
	to = appendStrings(to, d.Notes.Names())
	to = append(to, `,"undetermined":`...)
	to = appendStrings(to, d.Undetermined)
	return append(to, '}')
}

// MarshalJSON is the object that decisions hold: {"group":…,"trace_id":…,"lane":…}.
func (r Remembered) MarshalJSON() ([]byte, error) { return r.append(nil), nil }

func (r *Remembered) append(to []byte) []byte {
	to = append(to, `{"group":`...)
	to = appendString(to, r.Group)
	to = append(to, `,"trace_id":`...)
	to = appendBytes(to, r.TraceID)
	to = append(to, `,"lane":`...)
	return append(appendString(to, r.Lane), '}')
}

func (s *Subset) append(to []byte) []byte {
	if s == nil {
		return append(to, "null"...)
	}
	to = append(to, `{"lane":`...)
	to = appendString(to, s.Lane)
	to = append(to, `,"labels":{`...)
	for i, name := range slices.Sorted(maps.Keys(s.Labels)) {
		to = appendComma(to, i)
		to = append(appendString(to, name), ':')
		to = appendString(to, s.Labels[name])
	}
	return append(to, "}}"...)
}

func appendComma(to []byte, position int) []byte {
	if position > 0 {
		return append(to, ',')
	}
	return to
}

func appendMaybe(to []byte, key, value string, is bool) []byte {
	to = append(to, key...)
	if !is {
		return append(to, "null"...)
	}
	return appendString(to, value)
}

func appendStrings(to []byte, texts []string) []byte {
	to = append(to, '[')
	for i, text := range texts {
		to = appendComma(to, i)
		to = appendString(to, text)
	}
	return append(to, ']')
}

// appendBytes is text, or {"base64":…} where it is not UTF-8 (S29).
func appendBytes(to []byte, value string) []byte {
	if utf8.ValidString(value) {
		return appendString(to, value)
	}
	to = append(to, `{"base64":"`...)
	to = base64.StdEncoding.AppendEncode(to, []byte(value))
	return append(to, `"}`...)
}

// appendString escapes what JSON asks for and no more, as the engine's own writer does; encoding/json would escape <, > and & too.
func appendString(to []byte, text string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	for _, c := range text { // what is not UTF-8 becomes the replacement character
		switch {
		case c == '"' || c == '\\':
			to = append(to, '\\', byte(c))
		case c >= ' ':
			to = utf8.AppendRune(to, c)
		case c == '\b':
			to = append(to, `\b`...)
		case c == '\f':
			to = append(to, `\f`...)
		case c == '\n':
			to = append(to, `\n`...)
		case c == '\r':
			to = append(to, `\r`...)
		case c == '\t':
			to = append(to, `\t`...)
		default:
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(to, '"')
}

// UnmarshalJSON reads the object of [Decision.MarshalJSON], whichever front-end printed it.
func (d *Decision) UnmarshalJSON(text []byte) error {
	var data struct {
		Outcome string  `json:"outcome"`
		Group   string  `json:"group"`
		Rule    string  `json:"rule"`
		Lane    string  `json:"lane"`
		Service *string `json:"service"`
		Subset  *struct {
			Lane   string            `json:"lane"`
			Labels map[string]string `json:"labels"`
		} `json:"subset"`
		Reason string `json:"reason"`
		Found  struct {
			Value bytesText `json:"value"`
			In    string    `json:"in"`
		} `json:"found"`
		SetHeaders    headerMap `json:"set_headers"`
		RemoveHeaders []string  `json:"remove_headers"`
		SetCookie     *struct {
			Name       string `json:"name"`
			Value      string `json:"value"`
			TTLSeconds uint32 `json:"ttl_seconds"`
		} `json:"set_cookie"`
		Remember     []Remembered `json:"remember"`
		Notes        []string     `json:"notes"`
		Undetermined []string     `json:"undetermined"`
	}
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	*d = Decision{
		Group:         data.Group,
		Rule:          data.Rule,
		Lane:          data.Lane,
		Found:         Found{Value: string(data.Found.Value)},
		SetHeaders:    data.SetHeaders,
		RemoveHeaders: data.RemoveHeaders,
		Remember:      data.Remember,
		Undetermined:  data.Undetermined,
	}
	if data.Service != nil {
		d.Service, d.atHop = *data.Service, true
	}
	if data.Subset != nil {
		d.Subset = &Subset{Lane: data.Subset.Lane, Labels: data.Subset.Labels}
	}
	if data.SetCookie != nil {
		d.SetCookie = &Cookie{Name: data.SetCookie.Name, Value: data.SetCookie.Value, TTLSeconds: data.SetCookie.TTLSeconds}
	}
	var err error
	d.Outcome, err = valueNamed[Outcome](outcomeNames[:], data.Outcome, "outcome", err)
	d.Reason, err = valueNamed[Reason](reasonNames[:], data.Reason, "reason", err)
	d.Found.In, err = valueNamed[FoundIn](foundInNames[:], data.Found.In, "place", err)
	for _, name := range data.Notes {
		var bit uint8
		bit, err = valueNamed[uint8](noteNames[:], name, "note", err)
		d.Notes |= 1 << bit
	}
	if err == nil && d.Outcome == 0 {
		err = fmt.Errorf("lane: a decision without outcome")
	}
	return err
}

// UnmarshalJSON reads the object of [Remembered.MarshalJSON].
func (r *Remembered) UnmarshalJSON(text []byte) error {
	var data struct {
		Group   string    `json:"group"`
		TraceID bytesText `json:"trace_id"`
		Lane    string    `json:"lane"`
	}
	err := json.Unmarshal(text, &data)
	*r = Remembered{Group: data.Group, TraceID: string(data.TraceID), Lane: data.Lane}
	return err
}

func valueNamed[T ~uint8](names []string, name, kind string, err error) (T, error) {
	if i := slices.Index(names, name); i >= 0 {
		return T(i), err
	}
	if err == nil {
		err = fmt.Errorf("lane: no %s is named %q", kind, name)
	}
	return 0, err
}

// bytesText is text, or {"base64":…}.
type bytesText string

func (b *bytesText) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var encoded struct {
			Base64 []byte `json:"base64"`
		}
		err := json.Unmarshal(text, &encoded)
		*b = bytesText(encoded.Base64)
		return err
	}
	return json.Unmarshal(text, (*string)(b))
}

// headerMap is a map of names to values whose order is kept.
type headerMap []Header

func (h *headerMap) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("lane: headers to set are an object (%v)", err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value bytesText
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		*h = append(*h, Header{Name: name.(string), Value: string(value)})
	}
	return nil
}
