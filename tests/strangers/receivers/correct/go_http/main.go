// A receiver with Go's standard library: MaxBytesReader, hmac.Equal, O_EXCL files as the inbox.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

type event struct {
	WebhookType      string          `json:"webhookType"`
	UpstreamEntityID string          `json:"upstreamEntityId"`
	Payload          json.RawMessage `json:"payload"`
}

type inbox struct {
	secret []byte
	entity string
	folder string
}

func (in *inbox) signed(body []byte, header string) bool {
	given, err := hex.DecodeString(header)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, in.secret)
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

func (in *inbox) store(body []byte) error {
	sum := sha256.Sum256(body)
	name := filepath.Join(in.folder, hex.EncodeToString(sum[:]))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(body)
	return err
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if !in.signed(body, r.Header.Get("X-Turris-Signature")) {
		http.Error(w, "invalid signature", http.StatusUnauthorized)
		return
	}
	var message event
	if err := json.Unmarshal(body, &message); err != nil || message.WebhookType == "" {
		http.Error(w, "malformed event", http.StatusBadRequest)
		return
	}
	if message.UpstreamEntityID != in.entity {
		http.Error(w, "unknown entity", http.StatusForbidden)
		return
	}
	if err := in.store(body); err != nil {
		log.Print(err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/webhooks/turris", &inbox{
		secret: []byte(os.Getenv("TURRIS_WEBHOOK_SECRET")),
		entity: os.Getenv("TURRIS_UPSTREAM_ENTITY_ID"),
		folder: os.Getenv("INBOX_DIR"),
	})
	server := &http.Server{
		Addr:              "127.0.0.1:" + os.Getenv("PORT"),
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
