package lane_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

// vectorsFolder holds the vectors that every front-end runs. It is in the repository, not in the module.
const vectorsFolder = "../../tests/vectors"

type vectorFile struct {
	Config json.RawMessage
	Cases  []struct {
		Name    string
		Cites   []string
		Request vectorRequest
		Expect  map[string]any
	}
}

type vectorRequest struct {
	Ingress *struct{ Gateway string }
	Hop     *struct{ Service string }
	Inbound *struct{}

	Method, Authority, Path text
	Headers                 [][2]text
	Source                  struct {
		Service, Lane string
		Labels        map[string]string
		IP            string
	}
	Remembered map[string]string
	Roll       *roll
	Live       map[string]map[string][2]uint32
	Recorded   *struct{ Headers []string }
}

// text is a text, or {"base64": …}.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return json.Unmarshal(data, (*string)(t))
	}
	var encoded struct{ Base64 string }
	if err := json.Unmarshal(data, &encoded); err != nil {
		return err
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded.Base64)
	*t = text(decoded)
	return err
}

// roll is a number, or one as text.
type roll uint64

func (r *roll) UnmarshalJSON(data []byte) error {
	value, err := strconv.ParseUint(string(bytes.Trim(data, `"`)), 10, 64)
	*r = roll(value)
	return err
}

func (v *vectorRequest) request() *lane.Request {
	request := &lane.Request{
		Method:     string(v.Method),
		Authority:  string(v.Authority),
		Path:       string(v.Path),
		Source:     lane.Source{Service: v.Source.Service, Lane: v.Source.Lane, Labels: v.Source.Labels},
		Remembered: v.Remembered,
	}
	for _, line := range v.Headers {
		request.Headers = append(request.Headers, lane.Header{Name: string(line[0]), Value: string(line[1])})
	}
	if v.Roll != nil {
		request.Roll = lane.NewRoll(uint64(*v.Roll))
	}
	// What is no address counts as absent.
	if address, err := netip.ParseAddr(v.Source.IP); err == nil && address.Zone() == "" {
		request.Source.IP = address
	}
	if v.Recorded != nil {
		request.Recorded = append([]string{}, v.Recorded.Headers...)
	}
	return request
}

func (v *vectorRequest) live() []lane.Endpoints {
	var counts []lane.Endpoints
	for service, lanes := range v.Live {
		for name, count := range lanes {
			counts = append(counts, lane.Endpoints{Service: service, Lane: name, Total: count[0], Healthy: count[1]})
		}
	}
	return counts
}

func TestVectors(t *testing.T) {
	var manifest struct{ Files, Cases int }
	readJSON(t, filepath.Join(vectorsFolder, "manifest.json"), &manifest)
	paths, err := filepath.Glob(filepath.Join(vectorsFolder, "*", "*.json"))
	if err != nil || len(paths) != manifest.Files {
		t.Fatalf("%d files of vectors, but the manifest counts %d (%v)", len(paths), manifest.Files, err)
	}
	count, failed := 0, 0
	for _, path := range paths {
		var file vectorFile
		readJSON(t, path, &file)
		// One instance is enough for one goroutine, and a new one for each file shows that they are given back.
		router, err := lane.Compile(file.Config, lane.WithInstances(1), lane.WithFormat(lane.JSON))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, vector := range file.Cases {
			count++
			answer, err := answer(router, &vector.Request)
			if err != nil {
				failed++
				t.Errorf("%s/%s: %v", path, vector.Name, err)
				continue
			}
			for key, wanted := range vector.Expect {
				if !reflect.DeepEqual(answer[key], wanted) {
					failed++
					t.Errorf("%s/%s (%v): %s: wanted %v, got %v", path, vector.Name, vector.Cites, key, wanted, answer[key])
				}
			}
		}
		if err := router.Close(); err != nil {
			t.Error(err)
		}
	}
	if count != manifest.Cases {
		t.Errorf("%d vectors were run, but the manifest counts %d", count, manifest.Cases)
	}
	if !t.Failed() {
		name := map[string]string{"wasm": "go", "cgo": "go-cgo"}[lane.Transport]
		fmt.Printf("vectors: %s %d\n", name, count)
	}
}

// answer is the answer as data; every decision is also explained, and printed and read again.
func answer(router *lane.Router, vector *vectorRequest) (map[string]any, error) {
	if err := router.Liveness().Replace(vector.live()...); err != nil {
		return nil, err
	}
	request := vector.request()
	if vector.Inbound != nil {
		remembered, err := router.Inbound(request)
		if err != nil {
			return nil, err
		}
		if remembered == nil {
			remembered = []lane.Remembered{}
		}
		return asData(map[string]any{"remember": remembered})
	}
	var decision lane.Decision
	var explained *lane.Explanation
	var err, explainErr error
	if vector.Ingress != nil {
		decision, err = router.Ingress(vector.Ingress.Gateway, request)
		explained, explainErr = router.ExplainIngress(vector.Ingress.Gateway, request)
	} else {
		decision, err = router.Hop(vector.Hop.Service, request)
		explained, explainErr = router.ExplainHop(vector.Hop.Service, request)
	}
	if err := errors.Join(err, explainErr); err != nil {
		return nil, err
	}
	printed := decision.AppendJSON(nil)
	if wanted := append([]byte(`{"decision":`), printed...); !bytes.HasPrefix(explained.JSON, wanted) {
		return nil, fmt.Errorf("the engine prints another decision:\n%s\n%s", explained.JSON, wanted)
	}
	if again := explained.Decision.AppendJSON(nil); !bytes.Equal(again, printed) {
		return nil, fmt.Errorf("what was read is not what was printed:\n%s\n%s", again, printed)
	}
	return asData(decision)
}

func asData(value any) (map[string]any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	err = json.Unmarshal(text, &data)
	return data, err
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && lane.Transport != "" {
		if _, err := os.Stat(vectorsFolder); err != nil {
			t.Skip("the shared vectors are in the repository, not in the module")
		}
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
