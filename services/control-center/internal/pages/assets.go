package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// asset is one file as it is sent.
type asset struct {
	mime        string
	body, small []byte // small is body by gzip
	hashed      bool   // the address changes with it
}

// assets are the files that pages are made of. The address of each holds a hash of its content: what a browser has of it
// need never be asked for again. Those who cannot know it, because they are no page of this package, leave it out.
type assets struct {
	paths  map[string]string // address by file name
	served map[string]asset  // by the last part of the address
}

func loadAssets() (*assets, error) {
	a := &assets{paths: map[string]string{}, served: map[string]asset{}}
	err := fs.WalkDir(assetFiles, "assets", func(at string, entry fs.DirEntry, err error) error {
		ext := path.Ext(at)
		if err != nil || entry.IsDir() || ext != ".js" && ext != ".css" && ext != ".svg" {
			return err
		}
		body, err := assetFiles.ReadFile(at)
		if err != nil {
			return err
		}
		var small bytes.Buffer
		if err := squeeze(&small, body, gzip.BestCompression); err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		name := path.Base(at)
		hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.paths[name] = "/assets/" + hashed
		one := asset{mime: mime.TypeByExtension(ext), body: body, small: small.Bytes()}
		a.served[name] = one
		one.hashed = true
		a.served[hashed] = one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	return a, nil
}

// path is the address of an asset; it panics on one that is not there, which is a fault of a template.
func (a *assets) path(name string) string {
	at, known := a.paths[name]
	if !known {
		panic("there is no asset " + name)
	}
	return at
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, known := a.served[r.PathValue("name")]
	if !known {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.mime)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if !found.hashed {
		h.Set("Cache-Control", "public, max-age=60")
	}
	h.Set("Vary", "Accept-Encoding")
	body := found.body
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = found.small
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
