// Sends each question with Node's own modules http and https, a connection for each.
import http from 'node:http'
import https from 'node:https'
import { answerLines } from './lines.mjs'

await answerLines(
  ({ method, url, headers, chunks, streamed }) =>
    new Promise((resolve, reject) => {
      const { request } = url.startsWith('https:') ? https : http
      const length = streamed || !chunks.length ? [] : [['Content-Length', chunks[0].length]]
      const fields = [['Host', new URL(url).host], ...headers, ...length]
      const sent = request(url, { method, agent: false, headers: fields.flat() }, async (answer) => {
        const received = []
        answer.on('error', reject)
        for await (const chunk of answer) received.push(chunk)
        const { statusCode: status, headers } = answer
        resolve({ status, headers: Object.entries(headers), body: Buffer.concat(received) })
      })
      sent.on('error', reject)
      for (const chunk of chunks) sent.write(chunk)
      sent.end()
    }),
)
