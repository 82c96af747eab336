// Sends each question with fetch, which streams a body only if it is told so.
import { answerLines } from './lines.mjs'

await answerLines(async ({ method, url, headers, chunks, streamed }) => {
  const answer = await fetch(url, {
    method,
    headers,
    body: streamed ? ReadableStream.from(chunks) : chunks[0],
    duplex: 'half',
  })
  const body = Buffer.from(await answer.arrayBuffer())
  return { status: answer.status, headers: [...answer.headers], body }
})
