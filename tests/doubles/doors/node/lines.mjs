// Questions come as lines of JSON on standard input; answers go the same way back.
import { createInterface } from 'node:readline'

export async function answerLines(send) {
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line)
    const chunks = question.chunks.map((chunk) => Buffer.from(chunk, 'base64'))
    let answer
    try {
      const { status, headers, body } = await send({ ...question, chunks })
      answer = { status, headers, body: body.toString('base64') }
    } catch (error) {
      answer = { error: String(error.cause ?? error) }
    }
    console.log(JSON.stringify(answer))
  }
}
